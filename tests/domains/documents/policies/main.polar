allow(request: Request, action: String, resource) if
    permit(request.subject, action, resource) and
    not forbid(_code, request, action, resource);

# Owners do as they like.
permit(user: User, _action: String, document: Document) if
    document.owner = user;

# Flags: what is public is read by anybody, a team's document by the team. Somebody without a team
# is in no team, also not in that of a document without one.
permit(_anybody, "read", _document: Document{visibility: "public"});

permit(user: User, action: String, document: Document{visibility: "team"}) if
    action in ["read", "write"] and
    team = document.team and
    team matches Team and
    user.team = team;

# Sharing: readers read, and who has a share writes.
permit(user: User, "read", document: Document) if
    user in document.readers;

permit(user: User, action: String, document: Document) if
    share in document.shares and
    share.user = user and
    (action in ["read", "write"] or (action = "share" and share.may_share = true));

# Who is signed in remarks on what they can read; the author or the owner ends it.
permit(user: User, "remark", document: Document) if
    permit(user, "read", document);

permit(anybody, "read", remark: Remark) if
    permit(anybody, "read", remark.document);

permit(user: User, "resolve", remark: Remark) if
    user in [remark.author, remark.document.owner];

forbid("locked", _request: Request, action: String, _document: Document{locked: true}) if
    action in ["write", "delete"];
forbid("locked", _request: Request, "resolve", _remark: Remark{document: {locked: true}});

forbid("sign_in", request: Request, action: String, _document: Document) if
    request.subject matches Visitor and
    action != "read";

forbid("resolved_already", _request: Request, "resolve", remark: Remark) if
    remark.resolved = true;
