reason("locked", "the document is locked");
reason("sign_in", "visitors only read; sign in to do more");
reason("resolved_already", "this remark is resolved already");
