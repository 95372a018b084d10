# AU: "You are either an administrator or a user."
# GS: "MyProximus can be used by two types of users: Access Owners and Delegate Users."
#
# What a person is on a customer number. A person has one role on a number at most.

# GS 1: "The Access Owner will be recognized as the administrator of the company's MyProximus
# account." So whatever an administrator may do, the access owner may do as well.
administers(person: Person, customer: Customer) if
    membership in person.memberships and
    membership.customer = customer and
    membership.role in ["administrator", "access_owner"];

owns_access(person: Person, customer: Customer) if
    membership in person.memberships and
    membership.customer = customer and
    membership.role = "access_owner";

delegate(person: Person, customer: Customer) if
    membership in person.memberships and
    membership.customer = customer and
    membership.role = "delegate";

member(person: Person, customer: Customer) if
    membership in person.memberships and
    membership.customer = customer;

excluded_from_administration(person: Person, customer: Customer) if
    membership in person.memberships and
    membership.customer = customer and
    membership.excluded_from_administration = true;

# What a customer number has.
has_administrator(customer: Customer) if
    membership in customer.memberships and
    membership.role in ["administrator", "access_owner"];

has_access_owner(customer: Customer) if
    membership in customer.memberships and
    membership.role = "access_owner";
