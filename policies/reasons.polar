# What each reason of a denial says in words. Programs use the codes; people read the sentences.

reason("access_owner_taken", "this customer number has an access owner already");
reason("excluded_from_administration", "this member is excluded from administration");
reason("no_access_owner", "this customer number has no access owner who could approve a request");
reason("not_offered_on_channel", "this is offered on the web site only");
reason("partial_delegation", "access is never delegated in part: an application is granted whole, by the access owner");
reason("residential_has_no_access_owner", "a residential customer has no access owner and no delegates");
reason("residential_single_administrator", "a residential customer can have only one administrator");
reason("unknown_channel", "there is no such channel; channels are web and app");
reason("wrong_state", "this step is not open in the present state");
