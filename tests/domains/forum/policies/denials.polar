forbid("deactivated", request: Request, _action: String, _resource) if
    request.subject matches User{deactivated: true};

forbid("banned", request: Request, action: String, resource) if
    not action in ["read", "report"] and
    on_board(resource, board) and
    ban in request.subject.bans and
    ban.board = board and
    (ban.ends = nil or ban.ends > request.now);

on_board(board: Board, board);
on_board(thread: Thread, board) if board = thread.board;
on_board(post: Post, board) if on_board(post.thread, board);

forbid("locked", request: Request, action: String, resource) if
    is_in(resource, thread) and
    action in ["reply", "edit"] and
    thread.locked = true and
    not moderates(request.subject, thread.board);

is_in(thread: Thread, thread);
is_in(post: Post, thread) if thread = post.thread;

# Neither way.
forbid("blocked", request: Request, action: String, resource) if
    action in ["reply", "vote"] and
    user = request.subject and
    other = resource.author and
    (blocks(user, other) or blocks(other, user));

blocks(user: User, other: User) if
    block in user.blocks and
    block.blocked = other;

reason("deactivated", "this account was given up");
reason("banned", "you may not write on this board for now");
reason("locked", "nothing more is said in this thread");
reason("blocked", "one of you does not want to hear from the other");
