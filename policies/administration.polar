# AU: "In your company, you can have several administrators per customer number. You are a user but
# want to become an administrator? ... Click in the box More functionalities on Become
# administrator. Provide your customer number. You are now an administrator."

# AU: "Anyone in your company (with or without a mobile phone) can become an administrator unless
# they: ..." (reading) The page's list of exceptions cannot be read: it repeats the users' rights by
# mistake. Anyone in the company may, unless their membership is marked as excluded; see below.
permit(person: Person, "become_administrator", customer: Customer) if
    member(person, customer) and
    not administers(person, customer);

# (reading) The pages do not say how an administrator stops being one. The single administrator of
# a residential customer must be able to make room, so each may step down from the own role.
permit(person: Person, "step_down", customer: Customer) if
    administers(person, customer);

# AU: "Are you a residential customer? In that case, there can only be one administrator."
forbid("residential_single_administrator", _request: Request, "become_administrator", customer: Customer{kind: "residential"}) if
    has_administrator(customer);

# AU: "Anyone in your company can become an administrator unless ..." (reading), as above.
forbid("excluded_from_administration", request: Request, "become_administrator", customer: Customer) if
    excluded_from_administration(request.subject, customer);
