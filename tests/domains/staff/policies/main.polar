# The same type on both sides. An action is an operation on a field; a relation between the two says
# how one sees the other, and a table which fields that opens.

allow(request: Request, action: String, other: Employee) if
    names(action, operation, field) and
    regards(request.subject, role, other) and
    opens(role, operation, field) and
    not shut(request.subject, operation, field, other);

names("read_name", "read", "name");
names("read_address", "read", "address");
names("read_salary", "read", "salary");
names("write_name", "write", "name");
names("write_address", "write", "address");
names("write_salary", "write", "salary");

opens("anybody", "read", "name");
opens("self", "read", _field);
opens("self", "write", "address");
opens("manager", "read", field) if field in ["address", "salary"];
opens("head", "read", "salary");
opens("head", "write", "salary");
opens("personnel", _operation, field) if not field = "salary";
opens("personnel", "read", "salary");

regards(_: Employee, "anybody", _: Employee);
regards(_: Employee{id: id}, "self", _: Employee{id: id});
regards(manager: Employee, "manager", _: Employee{manager: manager});
regards(_: Employee{position: "personnel"}, "personnel", _: Employee);

# The head of a department, and of the one above.
regards(head: Employee{position: "head"}, "head", other: Employee) if
    head.department in [other.department, other.department.parent];

shut(employee: Employee, "write", "salary", employee: Employee);

shut(employee: Employee, "read", _field, other: Employee{hidden: true}) if
    not employee = other and
    not employee matches {position: "personnel"};

?= opens("anybody", "read", field) and field = "name";
