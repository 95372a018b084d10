# AU: "You are either an administrator or a user: it is not possible to delegate certain parts of
# MyProximus, whether within or outside your company."

# Nobody may delegate a part, not even an administrator: no rule permits `delegate_part`, and this
# one forbids it to everybody.
forbid("partial_delegation", _request: Request, "delegate_part", _customer: Customer);

# A request for access names whole applications of the customer number. (reading) Anything else that
# it names, such as "123456789/onedrive/photos", is less than a whole application.
forbid("partial_delegation", request: Request, "request_delegate_access", customer: Customer) if
    name in request.applications and
    not whole_application(name, customer);

whole_application(name: String, customer: Customer) if
    application in customer.applications and
    application.id = name;

# GS 2: "This limit is established by the Access Owner." (reading) Approving a request hands
# applications on, so a delegate who tries to approve one passes on what was granted to them.
forbid("partial_delegation", request: Request, "approve", delegate_request: DelegateRequest) if
    delegate(request.subject, delegate_request.customer);
