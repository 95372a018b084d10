forbid("blocked", request: Request, _action: String, _invoice: Invoice) if
    request.subject matches Supplier{is_blocked: true};

forbid("own_entry", request: Request, "approve", invoice: Invoice) if
    clerk = request.subject and
    clerk matches Clerk and
    invoice.entered_by = clerk.id;

# Who asks has to say it all.
forbid("incomplete", _request: Request, action: String, invoice: Invoice) if
    action in ["approve", "pay"] and
    nil in [invoice.amount, invoice.due, invoice.entered_by];

forbid("nothing_to_pay", _request: Request, action: String, invoice: Invoice) if
    action in ["approve", "pay"] and
    invoice.amount <= 0;

forbid("not_due", request: Request, "pay", invoice: Invoice) if
    invoice.due > request.now;

reason("blocked", "this supplier is blocked");
reason("own_entry", "nobody approves what they entered themselves");
reason("incomplete", "the amount, the due time and who entered it have to be said");
reason("nothing_to_pay", "there is nothing to pay");
reason("not_due", "it is too early to pay this");
