reason("not_in_plan", "the plan does not have this");
reason("no_seat_left", "all seats of the plan are taken");
reason("too_many_seats", "the plan has fewer seats than that");
reason("too_long", "so long a report cannot be exported");
reason("no_such_format", "the plan does not have this format");
reason("trial_over", "the trial is over");
