# GS 2: "... the Access Owner, who has to approve the employee's request to become a Delegate User."
#
# Fixed products, GS 3.8:    submitted -> approved -> completed, when the link in the e-mail is
#                            followed.
# Mobile only, GS last part: the code by text message and the approval may come in either order;
#                            completed when both are there. `code_confirmed` waits for approval.
# A request that is rejected or withdrawn stays so.

# GS 3.8.1-2: anyone registers and enters the customer number. Administrators have it all already.
permit(person: Person, "request_delegate_access", customer: Customer) if
    not administers(person, customer);

# AU: "Are you a residential customer? In that case, there can only be one administrator."
forbid("residential_has_no_access_owner", _request: Request, "request_delegate_access", _customer: Customer{kind: "residential"});

# GS 3.8.3: "The Access Owner approves your registration." Without one, nobody could.
forbid("no_access_owner", _request: Request, "request_delegate_access", customer: Customer{kind: "business"}) if
    not has_access_owner(customer);

permit(person: Person, action: String, delegate_request: DelegateRequest) if
    action in ["view", "withdraw"] and
    delegate_request.person = person;

# GS 3.8.3 and 3.9: "Creation/Approval of the Delegate User's request by the Access Owner."
permit(person: Person, action: String, delegate_request: DelegateRequest) if
    action in ["view", "approve", "reject"] and
    owns_access(person, delegate_request.customer);

# GS 3.8.4: "Click the link contained in the e-mail". (reading) This says who may follow the link
# and when; whether the link is the right one is checked when it is followed.
permit(person: Person, "confirm_email", delegate_request: DelegateRequest{kind: "fixed"}) if
    delegate_request.person = person;

# GS, mobile 2-3: "you have to enter the code you receive by text message". (reading) As above.
permit(person: Person, "confirm_code", delegate_request: DelegateRequest{kind: "mobile"}) if
    delegate_request.person = person;

forbid("wrong_state", _request: Request, action: String, delegate_request: DelegateRequest) if
    action in ["approve", "reject", "confirm_email", "confirm_code", "withdraw"] and
    not open_to(action, delegate_request.status);

# (reading) The states in which each step can be taken. The access owner decides once; the requester
# may withdraw until the request is completed.
open_to("approve", status) if status in ["submitted", "code_confirmed"];
open_to("reject", status) if status in ["submitted", "code_confirmed"];
open_to("confirm_email", "approved");
open_to("confirm_code", status) if status in ["submitted", "approved"];
open_to("withdraw", status) if status in ["submitted", "code_confirmed", "approved"];
