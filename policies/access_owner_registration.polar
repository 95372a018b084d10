# GS 3: "The company designates one Access Owner. The Access Owner fills in the registration form."
#
# The steps of the registration, GS 3.4 to 3.7, each only in its turn:
#   submitted -> called -> agreement_sent -> agreement_signed -> confirmed

permit(person: Person, "register_access_owner", customer: Customer) if
    member(person, customer);

# GS 3.1: "The company designates one Access Owner."
forbid("access_owner_taken", _request: Request, "register_access_owner", customer: Customer) if
    has_access_owner(customer);

# GS 3.1 speaks of a company. AU: "Are you a residential customer? In that case, there can only be
# one administrator." So there are no access owners on a residential number.
forbid("residential_has_no_access_owner", _request: Request, "register_access_owner", _customer: Customer{kind: "residential"});

permit(person: Person, "view", registration: AccessOwnerRegistration) if
    registration.person = person;

# GS 3.5: "Provide additional information by telephone (received call)". GS 3.6: "Sign, scan and
# return the "Contractual Agreement" received by e-mail". GS 3.7: "Confirmation of the creation of
# the Access Owner received by e-mail". The back office makes the call, sends the agreement, files
# it when it comes back, and confirms.
permit(_operator: Operator, action: String, _registration: AccessOwnerRegistration) if
    action in ["view", "record_call", "send_agreement", "record_agreement", "confirm"];

forbid("wrong_state", _request: Request, action: String, registration: AccessOwnerRegistration) if
    registration_step(action, turn) and
    registration.status != turn;

registration_step("record_call", "submitted");
registration_step("send_agreement", "called");
registration_step("record_agreement", "agreement_sent");
registration_step("confirm", "agreement_signed");
