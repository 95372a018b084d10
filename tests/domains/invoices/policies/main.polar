allow(request: Request, action: String, invoice: Invoice) if
    permit(request.subject, action, invoice) and
    not forbid(_code, request, action, invoice);

# The department sees its invoices, and approves what is not too much for the one who does.
permit(clerk: Clerk, "view", invoice: Invoice) if
    invoice.department = clerk.department;

permit(clerk: Clerk, "approve", invoice: Invoice) if
    invoice.department = clerk.department and
    invoice.amount <= clerk.approves_up_to;

# The cashier sees and pays what is approved, of any department.
permit(_clerk: Clerk{is_cashier: true}, action: String, _invoice: Invoice{is_approved: true}) if
    action in ["view", "pay"];

# Suppliers see their own. What does not come with a question is nil, and nil is like nil: without
# the second line, whoever says nothing would see an invoice of which nothing is said.
permit(supplier: Supplier, "view", invoice: Invoice) if
    supplier.number = invoice.supplier and
    not invoice.supplier = nil;
