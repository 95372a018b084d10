allow(request: Request, action: String, record: Record) if
    permit(request.subject, action, record) and
    not forbid(_code, request, action, record);

# Whoever is known reads.
permit(_user: User, "read", _record: Record);

# What is not archived, everybody sees in lists.
permit(_user: User, "view", record: Record) if
    record.status != "archived";

# Alice writes what is not archived; what is archived, an administrator does, and nothing else.
permit(_user: User{id: "alice"}, "write", record: Record) if
    record.status != "archived";
permit(_user: User{role: "admin"}, "write", _record: Record{status: "archived"});

# Alice deletes, and so that it can be undone.
permit(_user: User{id: "alice"}, "delete", _record: Record);

forbid("for_good", request: Request, "delete", _record: Record) if
    not request.soft = true;

reason("for_good", "a record is deleted softly only");
