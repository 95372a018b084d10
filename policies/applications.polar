# GS 2: "Delegate Users have limited access to MyProximus and the available applications (e.g. bill
# analysis). This limit is established by the Access Owner."

# AU: "As an administrator you manage for your company: access to OneDrive for Business (web);
# access to Proximus TV, the Cloud and Foot 11 (web and app)."
permit(person: Person, "access", application: Application) if
    administers(person, application.customer);

# A delegate opens the applications that were granted, each as a whole.
permit(person: Person, "access", application: Application) if
    delegate(person, application.customer) and
    grant in application.grants and
    grant.person = person;
