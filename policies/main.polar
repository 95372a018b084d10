# What every question comes to: somebody may do something when a rule permits it and no rule
# forbids it.
#
# The other files hold the rules, one topic each. `permit` says who may do what, `forbid` says what
# is refused whatever permits it, with its reason. Every denial gives the reasons of all the
# `forbid` rules that apply, and `not_permitted` when no `permit` rule does; reasons.polar says them
# in words.
#
# Two pages of the telecom are the source of the rules:
#   GS  "Getting started with MyProximus"
#   AU  "Administrator or user in MyProximus?"
# Where a page is silent or cannot be read, the comment at the rule says (reading).

allow(request: Request, action: String, resource) if
    permit(request.subject, action, resource) and
    not forbid(_reason, request, action, resource);
