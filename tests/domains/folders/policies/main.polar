# Account, drive, folder, file: what one may do above, one may do below, unless a folder is
# restricted.

allow(request: Request, action: String, resource) if
    has_permission(request.subject, action, resource) and
    not withheld(request.subject, action, resource);

actor User {}

resource Account {
    roles = ["admin", "guest"];
}

resource Drive {
    roles = ["reader", "writer", "admin"];
    permissions = ["read", "write"];
    relations = { account: Account };

    "read" if "reader";
    "write" if "writer";

    "reader" if "writer";
    "writer" if "admin";
    "admin" if "admin" on "account";
    "reader" if "guest" on "account";
}

resource Folder {
    roles = ["reader", "writer", "admin"];
    permissions = ["read", "write", "restrict"];
    relations = { drive: Drive, open_drive: Drive };

    "read" if "reader";
    "write" if "writer";
    "restrict" if "admin";

    "reader" if "writer";
    "writer" if "admin";
    "admin" if "admin" on "drive";
    "writer" if "writer" on "open_drive";
    "reader" if "reader" on "open_drive";
}

resource File {
    permissions = ["read", "write", "delete"];
    relations = { folder: Folder, owner: User };

    "read" if "read" on "folder";
    "write" if "write" on "folder";
    "read" if "owner";
    "write" if "owner";
    "delete" if "owner";
    "delete" if "admin" on "folder";
}
