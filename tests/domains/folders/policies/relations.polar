# What hangs together with what.

type has_relation(subject: Resource, name: String, object: Resource);

has_relation(account: Account, "account", drive: Drive) if
    drive.account = account;

has_relation(drive: Drive, "drive", folder: Folder) if
    folder.drive = drive;

has_relation(drive: Drive, "open_drive", folder: Folder) if
    has_relation(drive, "drive", folder) and
    folder.restricted != true;

has_relation(folder: Folder, "folder", file: File) if
    file.folder = folder;

has_relation(user: User, "owner", file: File) if
    file.owner = user;

has_role(user: User, role: String, account: Account) if
    seat in account.seats and
    seat.user = user and
    seat.role = role;

has_role(user: User, "writer", drive: Drive) if
    user in drive.writers;

has_role(user: User, "reader", folder: Folder) if
    user in folder.guests;

# What is final is written by nobody but the account's admins.
withheld(user: User, "write", file: File{status: "final"}) if
    not has_role(user, "admin", file.folder.drive);
