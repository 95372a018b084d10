# Employees claim, managers approve, accountants pay.

allow(request: Request, action: String, expense: Expense) if
    permit(request.subject, action, expense) and
    not forbid(_code, request, action, expense);

permit(employee: Employee, action: String, expense: Expense) if
    action in ["view", "submit"] and
    submitted_by(employee, expense);

# Two levels up, written out.
permit(employee: Employee, action: String, expense: Expense) if
    action in ["view", "approve"] and
    (manages(employee, expense.submitter) or manages(employee, expense.submitter.manager));

permit(accountant: Employee{title: "accountant"}, action: String, expense: Expense) if
    action in ["view", "pay"] and
    accountant.office = expense.office;

submitted_by(employee: Employee, expense: Expense) if
    expense in employee.expenses;

manages(manager: Employee, employee: Employee) if
    employee in manager.reports;
