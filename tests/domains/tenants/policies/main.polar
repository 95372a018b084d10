# Two kinds of actors. Whoever asks, asks as themselves or as somebody whom they help.

allow(request: Request, action: String, resource) if
    acts_as(request, actor, action) and
    permit(actor, action, resource) and
    not forbid(_code, request, action, resource);

permit(actor, action: String, resource) if
    has_permission(actor, action, resource);

acts_as(request: Request, actor, _action: String) if
    actor = request.subject;

# A helper sees what the other sees, and does nothing in their name.
acts_as(request: Request, actor, "view") if
    request.subject = helper and
    helper matches User and
    session in helper.help_sessions and
    session.ends > request.now and
    actor = session.user;

actor User {}
actor Service {}

resource Tenant {
    roles = ["member", "admin", "superadmin"];
    permissions = ["view", "configure", "suspend"];

    "view" if "member";
    "configure" if "admin";
    "suspend" if "superadmin";

    "member" if "admin";
    "admin" if "superadmin";
}

resource Project {
    permissions = ["view", "edit", "archive"];
    relations = { tenant: Tenant };

    "view" if "member" on "tenant";
    "edit" if "member" on "tenant";
    "archive" if "admin" on "tenant";
}

has_relation(tenant: Tenant, "tenant", project: Project) if
    tenant = project.tenant;

has_role(user: User, role: String, tenant: Tenant) if
    membership in user.memberships and
    membership.tenant = tenant and
    membership.role = role;

# A role everywhere.
has_role(_: User{is_superadmin: true}, "superadmin", _: Tenant);

# A program has what its scope says, in its tenant.
has_permission(service: Service, action: String, project: Project) if
    scope_covers(service.scope, action) and
    service.tenant = project.tenant;

scope_covers(_scope, "view");
scope_covers("writing", "edit");
