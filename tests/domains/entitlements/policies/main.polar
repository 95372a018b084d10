# A role lets one do something; the plan says whether the workspace may have it done at all.

allow(request: Request, action: String, resource) if
    permit(request.subject, action, resource) and
    not forbid(_code, request, action, resource);

permit(user: User, action: String, resource) if
    belongs(resource, workspace) and
    user.workspace = workspace and
    role_may(user.role, action);

role_may(_role, action) if action in ["open", "view", "export", "schedule", "use_api"];
role_may("admin", action) if action in ["invite", "see_audit_log"];

belongs(workspace: Workspace, workspace);
belongs(report: Report, workspace) if workspace = report.workspace;
