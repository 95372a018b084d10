# AU: "In MyProximus, certain people (the "administrators") can manage all the subscriptions
# (Internet, mobile, TV, fixed line, etc.) with the same customer number of your company or
# organization. The rest (the "users") only see their own mobile usage."

# AU: "As an administrator in MyProximus (web and app) you manage for your company: the bills, usage
# and options of all your subscriptions with the same customer number; activation of paid options."
permit(person: Person, action: String, subscription: Subscription) if
    action in [
        "view_bills",
        "view_usage",
        "manage_options",
        "activate_paid_option",
        "activate_free_option"
    ] and
    administers(person, subscription.customer);

# AU: "As a user in MyProximus (web and app) you only manage: usage of your own mobile; activation
# of free options for your mobile." Your own mobile is the one that you hold.
permit(person: Person, action: String, mobile: Subscription{kind: "mobile"}) if
    action in ["view_usage", "activate_free_option"] and
    mobile.holder = person;
