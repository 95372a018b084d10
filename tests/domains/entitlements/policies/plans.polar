# Which feature each action takes, and who has it: by plan, or as an extra.

needs("use_api", "api");
needs("see_audit_log", "audit");
needs("export", "exports");
needs("schedule", "exports");
needs("schedule", "timetable");

entitled(workspace: Workspace, name: String) if
    (feature in workspace.plan.features or feature in workspace.extras) and
    feature.id = name and
    feature.switched_off = false;

forbid("not_in_plan", _request: Request, action: String, resource) if
    belongs(resource, workspace) and
    needs(action, feature) and
    not entitled(workspace, feature);

# Quotas.
forbid("no_seat_left", _request: Request, "invite", workspace: Workspace) if
    workspace.seats_used >= workspace.plan.seats;

forbid("too_many_seats", request: Request, "invite", workspace: Workspace) if
    request.seats > workspace.plan.seats;

forbid("too_long", _request: Request, "export", report: Report) if
    report.rows > 1000 and
    not entitled(report.workspace, "bulk");

forbid("no_such_format", request: Request, "export", report: Report) if
    format in request.formats and
    format != "csv" and
    not entitled(report.workspace, format);

# A trial that is over leaves the door open and nothing behind it.
forbid("trial_over", request: Request, action: String, resource) if
    not action in ["open", "view"] and
    belongs(resource, workspace) and
    workspace.trial_ends < request.now;
