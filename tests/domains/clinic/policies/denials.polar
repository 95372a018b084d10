# What nobody may, whoever they are.

forbid("excluded", request: Request, _action: String, record: Record) if
    exclusion in record.patient.exclusions and
    exclusion.staff = request.subject;

forbid("on_leave", request: Request, _action: String, _record: Record) if
    request.subject matches Staff{on_leave: true};

# Behind the glass: others than the author and the patient's doctor say that it is an emergency.
forbid("only_in_emergency", request: Request, "read", record: Record{kind: "psychiatry"}) if
    request.subject matches Staff and
    not request.subject in [record.author, record.patient.doctor] and
    not request.emergency = true;

reason("excluded", "the patient has asked that you do not see this");
reason("on_leave", "records are closed to who is on leave");
reason("only_in_emergency", "this record is opened in an emergency only");
