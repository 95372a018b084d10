# Four eyes, and six on what is critical.

allow(request: Request, action: String, change: Change) if
    permit(request.subject, action, change) and
    not forbid(_code, request, action, change);

permit(_developer: Developer, "comment", _change: Change);

permit(developer: Developer, "approve", change: Change) if
    owns(developer, change.service) or
    developer.seniority >= 5;

permit(developer: Developer, "deploy", change: Change) if
    change.author = developer or
    owns(developer, change.service);

permit(robot: Robot, "deploy", change: Change) if
    change.service in robot.services;

owns(developer: Developer, service: Service) if
    developer in service.owners;

forbid("own_change", request: Request, "approve", change: Change) if
    change.author = request.subject;

forbid("deployed_already", _request: Request, action: String, _: Change{deployed: true}) if
    action in ["approve", "deploy"];

forbid("not_reviewed", _request: Request, "deploy", change: Change) if
    not enough_eyes(change, change.service.tier);

enough_eyes(change: Change, "normal") if
    approved_by(change, _reviewer);

enough_eyes(change: Change, "critical") if
    approved_by(change, first) and
    approved_by(change, second) and
    first != second and
    (owns(first, change.service) or owns(second, change.service));

# An approval that is older than the change is of another change.
approved_by(change: Change, reviewer) if
    approval in change.approvals and
    approval.given >= change.updated and
    reviewer = approval.reviewer and
    not change.author = reviewer;

forbid("frozen", request: Request, "deploy", change: Change) if
    not request.hotfix = true and
    freeze in change.service.freezes and
    freeze.starts <= request.now and
    request.now < freeze.ends;

forbid("no_such_region", request: Request, "deploy", _change: Change) if
    region in request.regions and
    not known_region(region);

known_region(region) if region in ["eu", "us"];

reason("own_change", "nobody approves their own change");
reason("deployed_already", "this change is out already");
reason("not_reviewed", "too few have approved the change as it is now");
reason("frozen", "nothing goes out for now, unless it is a hotfix");
reason("no_such_region", "there is no such region");
