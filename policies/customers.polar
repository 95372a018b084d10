# GS 1: "As the administrator, he or she will be authorized to manage: the account; the other users
# (Delegate Users) and their access."

# AU: "Check if you are administrator or user: on the MyProximus web site: look at your role."
permit(person: Person, "view", customer: Customer) if
    member(person, customer);

permit(person: Person, "manage_account", customer: Customer) if
    administers(person, customer);

# GS 2: "This limit is established by the Access Owner." So it takes the access owner; an
# administrator who is not the access owner does not manage the other users.
permit(person: Person, "manage_users", customer: Customer) if
    owns_access(person, customer);

# AU: "As an administrator you manage for your company: Bizz Club points (web and app)."
permit(person: Person, "manage_bizz_club_points", customer: Customer{kind: "business"}) if
    administers(person, customer);
