# What somebody may do follows from what they are and what the record is.

allow(request: Request, action: String, record: Record) if
    permit(request.subject, action, record) and
    not forbid(_code, request, action, record);

# Patients read their own.
permit(_: Patient{id: id}, "read", _: Record{patient: Patient{id: id}});

# Doctors read everything, and amend what is about their patients or by themselves.
permit(_: Staff{profession: "doctor"}, "read", _record: Record);
permit(doctor: Staff{profession: "doctor"}, "amend", _: Record{patient: {doctor: doctor}});
permit(doctor: Staff{profession: "doctor"}, "amend", _: Record{author: doctor});

# Nurses read the charts of those who lie in their ward; whoever is in no ward lies in none.
permit(_: Staff{profession: "nurse", ward: ward}, "read", record: Record{kind: "chart"}) if
    ward matches Ward and
    record.patient matches Patient{ward: ward};

# Clerks deal with bills, of patients who went home.
permit(_: Staff{profession: "clerk"}, action: String, record: Record{kind: "bill"}) if
    action in ["read", "invoice"] and
    record.patient matches {ward: nil};
