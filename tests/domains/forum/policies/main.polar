# Everybody talks, moderators keep order.

allow(request: Request, action: String, resource) if
    permit(request.subject, action, resource) and
    not forbid(_code, request, action, resource);

permit(user: User, action: String, board: Board) if
    action in ["read", "start_thread"] and
    sees(user, board);

permit(user: User, action: String, thread: Thread) if
    action in ["read", "reply"] and
    sees(user, thread.board);

permit(user: User, action: String, thread: Thread) if
    action in ["lock", "delete"] and
    moderates(user, thread.board);

# Authors take a thread back as long as nobody else has said anything.
permit(user: User, "delete", thread: Thread) if
    thread.author = user and
    forall(post in thread.posts, post.author = user);

permit(user: User, "edit", post: Post) if
    post.author = user or
    moderates(user, post.thread.board);

# A vote weighs something, so it takes somebody whom others have voted for, and not one's own.
permit(user: User, "vote", post: Post) if
    user.karma >= 10 and
    post.author != user and
    sees(user, post.thread.board);

# Whoever has a bone to pick with someone does not report them.
permit(user: User, "report", post: Post) if
    sees(user, post.thread.board) and
    forall(block in user.blocks, not block.blocked = post.author);

sees(_user: User, board: Board) if board.private = false;
sees(user: User, board: Board) if moderates(user, board);
sees(user: User, board: Board) if
    invitation in board.invitations and
    invitation.user = user;

moderates(user: User, board: Board) if user in board.moderators;
