# Isolation: nobody has anything to do with a tenant that they are not of.
forbid("other_tenant", request: Request, _action: String, project: Project) if
    service = request.subject and
    service matches Service and
    service.tenant != project.tenant;

forbid("suspended", request: Request, action: String, resource) if
    action != "view" and
    is_suspended(resource) and
    not request.subject matches User{is_superadmin: true};

is_suspended(_: Tenant{suspended: true});
is_suspended(_: Project{tenant: Tenant{suspended: true}});

forbid("archived", _request: Request, action: String, _: Project{archived: true}) if
    action in ["edit", "archive"];

forbid("programs_use_the_api", request: Request, _action: String, _resource) if
    request.subject matches Service and
    not request.channel = "api";

reason("other_tenant", "this belongs to another tenant");
reason("suspended", "the tenant is suspended");
reason("archived", "the project is archived");
reason("programs_use_the_api", "programs come by the api only");
