# Who may do what follows from roles, and roles follow from roles: on the organization, on the
# repository, on the issue.

allow(request: Request, action: String, resource) if
    has_permission(request.subject, action, resource);

actor User {}

resource Organization {
    roles = ["member", "owner"];
    permissions = ["read", "create_repository", "invite"];

    "read" if "member";
    "create_repository" if "member";
    "invite" if "owner";

    "member" if "owner";
}

resource Repository {
    roles = ["reader", "maintainer"];
    permissions = ["read", "push", "open_issue", "delete"];
    relations = { parent: Organization };

    "read" if "reader";
    "open_issue" if "reader";
    "push" if "maintainer";
    "delete" if "owner" on "parent";

    "reader" if "maintainer";
    "maintainer" if "owner" on "parent";
}

resource Issue {
    permissions = ["read", "comment", "close"];
    relations = { repository: Repository, creator: User };

    "read" if "read" on "repository";
    "read" if "creator";
    "comment" if "reader" on "repository";
    "comment" if "creator";
    "close" if "maintainer" on "repository";
}
