# Roles are had directly or by being in a group that has them.

allow(request: Request, action: String, resource) if
    has_permission(request.subject, action, resource);

actor User {}

resource Project {
    roles = ["viewer", "editor", "manager"];
    permissions = ["view", "edit", "assign"];

    "view" if "viewer";
    "edit" if "editor";
    "assign" if "manager";

    "viewer" if "editor";
    "editor" if "manager";
}

resource Group {
    roles = ["member", "lead"];
    permissions = ["view", "add_member"];

    "view" if "member";
    "view" if "lead";
    "add_member" if "lead";
}

has_role(user: User, role: String, project: Project) if
    assignment in project.assignments and
    assignment matches Assignment{role: role, user: user};

has_role(user: User, role: String, project: Project) if
    has_group(user, group) and
    group_has_role(group, role, project);

group_has_role(group: Group, role: String, project: Project) if
    assignment in project.assignments and
    assignment matches {role: role, group: group};

has_role(user: User, "member", group: Group) if
    has_group(user, group);

has_role(user: User, "lead", group: Group) if
    lead in group.leads and
    lead.user = user;

has_group(user: User, group: Group) if
    group in user.groups;

# Guests are not everybody.
has_group(_: User{is_guest: false}, _: Group{is_everybody: true});
