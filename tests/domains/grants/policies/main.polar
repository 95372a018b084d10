# Everything here has a time, so the request goes along everywhere.

allow(request: Request, action: String, machine: Machine) if
    may(request, action, machine) and
    not forbid(_code, request, action, machine);

# Whoever keeps a machine needs no grant.
may(request: Request, _action: String, machine: Machine) if
    machine.keeper = request.subject;

may(request: Request, action: String, machine: Machine) if
    grant in request.subject.grants and
    grant matches Grant{machine: machine, revoked: false} and
    covers(grant.level, action) and
    in_force(grant, request.now);

# On call, for a reason that one can look up.
may(request: Request, action: String, _machine: Machine) if
    action in ["look", "restart"] and
    shift in request.subject.shifts and
    shift.starts <= request.now and
    request.now < shift.ends and
    not request.ticket in [nil, ""];

# The start counts, the end does not.
in_force(grant: Grant, now) if
    grant.starts <= now and
    not has_ended(grant, now);

has_ended(grant: Grant, now) if
    grant.ends <= now;

covers("look", "look");
covers("operate", action) if action in ["look", "operate"];

forbid("closed", request: Request, action: String, machine: Machine) if
    action in ["operate", "restart"] and
    request.now < machine.closed_until;

reason("closed", "the machine is closed to changes for now");

?= covers("operate", "look");
?= covers("look", "look");
