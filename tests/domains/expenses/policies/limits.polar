# How much each may approve, in cents, and in which state each step is taken.

type limit(title: String, most: Integer);
type turn(action: String, status: String);

limit("manager", 50000);
limit("director", 500000);

turn("submit", "draft");
turn("approve", "submitted");
turn("pay", "approved");

forbid("above_limit", request: Request, "approve", expense: Expense) if
    not within_limit(request.subject, expense);

within_limit(employee: Employee, expense: Expense) if
    limit(employee.title, most) and
    expense.amount <= most;

forbid("own_expense", request: Request, action: String, expense: Expense) if
    action in ["approve", "pay"] and
    expense.submitter == request.subject;

# Four eyes: whoever approved it does not pay it.
forbid("same_hands", request: Request, "pay", _: Expense{approver: approver}) if
    approver = request.subject;

forbid("wrong_state", _request: Request, action: String, expense: Expense) if
    turn(action, status) and
    not expense.status = status;

forbid("more_than_claimed", request: Request, "pay", expense: Expense) if
    request.amount > expense.amount;

forbid("too_much_cash", request: Request, "pay", expense: Expense{amount: amount}) if
    request.in_cash = true and
    (request.amount = nil or expense.office = nil or amount >= 10000);

?= limit("manager", most) and limit("director", more) and more > most;
?= turn("submit", _status);
