-- What the officer has done for an operator who has no way to the database is told to the ledger.

insert into gdpr.entry_kind (kind, writer) values
('map.activated', 'gdpr_audit'),
('role.rotated', 'gdpr_audit');
