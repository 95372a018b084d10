# Where roles and relations are written down.

has_role(user: User, name: String, organization: Organization) if
    role in user.organization_roles and
    role matches {name: name, organization: organization};

has_role(user: User, name: String, repository: Repository) if
    role in user.repository_roles and
    role.name = name and
    role.repository = repository;

# Members have the base role on everything that the organization has.
has_role(user: User, name: String, repository: Repository) if
    name = repository.organization.base_role and
    has_role(user, "member", repository.organization);

has_relation(organization: Organization, "parent", repository: Repository) if
    organization = repository.organization;

has_relation(repository: Repository, "repository", issue: Issue) if
    repository = issue.repository;

has_relation(user: User, "creator", issue: Issue) if
    user = issue.creator;

# Anybody reads what is public, but takes part only with a role.
has_permission(_: User, "read", _: Repository{is_public: true});

# Who opened an issue may close it, once.
has_permission(user: User, "close", issue: Issue{closed: false}) if
    has_relation(user, "creator", issue);
