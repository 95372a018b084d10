reason("above_limit", "this is more than you may approve");
reason("own_expense", "nobody approves or pays their own expenses");
reason("same_hands", "whoever approved an expense does not pay it");
reason("wrong_state", "it is not the turn of this step");
reason("more_than_claimed", "no more is paid than was claimed");
reason("too_much_cash", "large sums are not paid in cash");
