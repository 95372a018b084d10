# AU: "(web and app)", "(web)": the channels on which each action is offered.
#
# A request that names no channel asks for any channel: it is allowed only what every channel
# offers. What is listed nowhere here can be done by any channel: the steps of the back office, and
# the confirmations with a one-time link or code.

forbid("not_offered_on_channel", request: Request, action: String, resource) if
    only_on_web(action, resource) and
    known_channel(request) and
    not request.channel = "web";

# (reading) A channel that the pages do not know is refused everything that lists channels.
forbid("unknown_channel", request: Request, action: String, resource) if
    lists_channels(action, resource) and
    not known_channel(request);

known_channel(request: Request) if request.channel = nil;
known_channel(request: Request) if request.channel in ["web", "app"];

lists_channels(action: String, resource) if on_web_and_app(action, resource);
lists_channels(action: String, resource) if only_on_web(action, resource);

# AU: "The bills, usage and options of all your subscriptions (web and app). Activation of paid
# options (web and app). As a user: usage of your own mobile (web and app), activation of free
# options for your mobile (web and app)."
on_web_and_app(action: String, _subscription: Subscription) if
    action in [
        "view_bills",
        "view_usage",
        "manage_options",
        "activate_paid_option",
        "activate_free_option"
    ];

# AU: "Bizz Club points (web and app)". GS 1, managing the account and the users, and AU, "in the
# MyProximus app: tap your name; on the web site: look at your role".
on_web_and_app(action: String, _customer: Customer) if
    action in ["view", "manage_account", "manage_users", "manage_bizz_club_points"];

# AU: "Log in as usual on MyProximus (website)." GS 3: the registration forms are on the web site.
# (reading) Stepping down is where becoming administrator is.
only_on_web(action: String, _customer: Customer) if
    action in [
        "become_administrator",
        "step_down",
        "register_access_owner",
        "request_delegate_access"
    ];

# AU: "Access to OneDrive for Business (web). Access to Proximus TV, the Cloud and Foot 11 (web and
# app)."
only_on_web("access", _application: Application{name: "onedrive"});
on_web_and_app("access", application: Application) if application.name != "onedrive";

# GS: following up a registration or a request.
on_web_and_app("view", _registration: AccessOwnerRegistration);
on_web_and_app(action: String, _delegate_request: DelegateRequest) if
    action in ["view", "approve", "reject", "withdraw"];
