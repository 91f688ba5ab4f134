-- The people of whom something is told, the same in every shop: whatever the size and the seed, these rows are there,
-- and nobody of the crowd has to do with them. Their ids, in every table, are below 1001.
--
--    4  Mira Okafor        an active customer of Nordlicht Books with rows in every table, key and bucket
--   42  Mira Okafor        the same e-mail address at Sonnenhof Market: another account, and an id that begins with 4
--    7  Jonas Weber        writes to Mira, is in her team, and sent her a gift card
--    1  Ada Lindqvist      packs orders and closes tickets: she acts on other people's rows
--   11  Zoë D'Angelo       is in Mira's team; Mira follows one of her tickets
--   12  田中 さくら           is in Søren's team
--   17  Søren Ångström     founded the team in which Mira keeps a document
--    0  Nobody             what is left of people who have gone points here where it has to point somewhere
--    -  Lena Fischer       has no account: the newsletter, a gift card, a comment during a visit with Mira's number

insert into app.users (
  id, tenant_id, email, phone, full_name, date_of_birth, interests, default_address_id, created_at
) values
(0, 1, 'nobody@shop.example', null, 'Nobody', null, '{}', null, '2018-01-01 00:00Z'),
(
  1, 1, 'ada.lindqvist@example.com', '+44 20 7946 0001', 'Ada Lindqvist', '1979-03-02', '{}', null,
  '2018-01-08 09:00Z'
),
(
  4,
  1,
  'mira.okafor@example.com',
  '+44 20 7946 0004',
  'Mira Okafor',
  '1988-05-17',
  '{bees,lighthouses,"fountain pens"}',
  null, '2019-04-02 18:20Z'
),
(
  7, 1, 'jonas.weber@example.com', '+44 20 7946 0007', 'Jonas Weber', '1990-11-30', '{chess}', null,
  '2019-06-11 07:45Z'
),
(
  11, 1, 'zoe.dangelo@example.com', '+44 20 7946 0011', 'Zoë D''Angelo', '1995-02-09', '{}', null,
  '2021-09-30 12:00Z'
),
(
  12, 1, 'sakura.tanaka@example.com', null, '田中 さくら', '1984-07-21', '{tea,maps}', null,
  '2022-02-14 23:10Z'
),
(
  17, 1, 'bo.angstroem@example.com', '+44 20 7946 0017', 'Søren "Bo" Ångström', null, '{sailing}', null,
  '2020-10-05 16:32Z'
),
(
  42, 2, 'mira.okafor@example.com', '+44 20 7946 0042', 'Mira Okafor', '1961-12-24', '{maps}', null,
  '2023-03-19 10:05Z'
);

insert into app.addresses (id, user_id, street, postcode, city, country) values
(1, 4, 'Leuchtturmweg 3', '25946', 'Nebel', 'DE'),
(2, 4, 'c/o Weber, Hafenstraße 88', '20359', 'Hamburg', 'DE'),
(3, 7, 'Hafenstraße 88', '20359', 'Hamburg', 'DE'),
(4, 42, 'Alte Gasse 4', '60313', 'Frankfurt', 'DE'),
(5, 12, '桜通り 7-2', '604-8001', '京都市', 'JP');

update app.users set default_address_id = a.id
from (values (4, 1), (7, 3), (42, 4), (12, 5)) as a (user_id, id)
where app.users.id = a.user_id;

insert into app.teams (id, owner_id, name, created_at) values
(1, 4, 'Beekeepers of Amrum', '2025-11-20 19:00Z'),
(2, 17, 'Sailing on Sundays', '2025-12-07 11:30Z');

insert into app.team_members (team_id, user_id, membership, joined_at) values
(1, 4, 'founder', '2025-11-20 19:00Z'),
(1, 7, 'member', '2025-11-21 08:12Z'),
(1, 11, 'member', '2026-02-02 20:40Z'),
(2, 17, 'founder', '2025-12-07 11:30Z'),
(2, 4, 'member', '2025-12-09 06:55Z'),
(2, 12, 'member', '2026-01-18 22:01Z');


-- What they bought --------------------------------------------------------------------------------------------------

insert into app.orders (id, user_id, status, ship_to_name, goods, shipping, packed_by, placed_at) values
(1, 4, 'delivered', 'Mira Okafor', 0, 0, 1, '2025-12-01 20:15Z'),
(2, 4, 'delivered', 'Lena Fischer', 0, 4.90, 1, '2026-05-10 08:03Z'),
(3, 4, 'paid', 'Mira Okafor', 0, 4.90, null, '2026-10-30 21:47Z'),
(4, 7, 'delivered', 'Jonas Weber', 0, 4.90, 4, '2025-12-15 13:20Z'),  -- Mira helped out at Christmas
(5, 42, 'returned', 'Mira Okafor', 0, 4.90, null, '2026-07-07 17:17Z');

insert into app.order_items (order_id, line, product_id, quantity, unit_price, gift_message)
select
  item.order_id,
  item.line,
  product.id,
  item.quantity,
  product.price,
  item.gift_message
from (
  values
  (1, 1, 1, 1, null),
  (1, 2, 21, 2, null),
  (2, 1, 9, 1, e'For Lena,\nso that the "light" never goes out. Yours, Mira'),
  (3, 1, 36, 6, null),
  (4, 1, 8, 1, null),
  (5, 1, 10, 1, null)
) as item (order_id, line, product_id, quantity, gift_message)
inner join app.products as product on item.product_id = product.id;

update app.orders
set
  goods = (
    select sum(item.quantity * item.unit_price)
    from app.order_items as item
    where item.order_id = app.orders.id
  )
where app.orders.id < 1001;

insert into app.invoices (id, user_id, order_id, number, billing_name, billing_address, total, issued_on)
select
  invoice.order_id,
  bought.user_id,
  bought.id,
  invoice.number,
  person.full_name,
  invoice.address,
  bought.total,
  invoice.day
from (
  values
  (1, 'R-00000001', 'Leuchtturmweg 3, 25946 Nebel', '2025-12-01'::date),
  (2, 'R-00000002', 'Leuchtturmweg 3, 25946 Nebel', '2026-05-10'::date),
  (3, 'R-00000003', 'Leuchtturmweg 3, 25946 Nebel', '2026-10-30'::date),
  (4, 'R-00000004', 'Hafenstraße 88, 20359 Hamburg', '2025-12-15'::date),
  (5, 'R-00000005', 'Alte Gasse 4, 60313 Frankfurt', '2026-07-07'::date)
) as invoice (order_id, number, address, day)
inner join app.orders as bought on invoice.order_id = bought.id
inner join app.users as person on bought.user_id = person.id;

insert into app.wishlist_items (tenant_id, user_id, product_id, note, added_at) values
(1, 4, 14, 'for the lantern room', '2026-03-03 21:00Z'),
(1, 4, 31, null, '2026-08-12 05:30Z'),
(1, 7, 14, null, '2026-03-04 07:10Z'),
(2, 42, 10, null, '2026-06-01 09:00Z');

insert into app."GiftCards" ("Id", "purchaserId", "recipientEmail", greeting, amount, "issuedAt") values
(1, 4, 'lena.fischer@example.org', 'For your first week by the sea', 50, '2026-05-10 08:10Z'),
(2, 7, 'mira.okafor@example.com', 'Sorry about the chess clock', 25, '2026-01-02 12:00Z');


-- What they said ----------------------------------------------------------------------------------------------------

insert into app.messages (id, sender_id, recipient_id, body, sent_at) values
(1, 4, 7, 'Jonas, are you coming to Amrum at the weekend? The bees swarm.', '2026-05-21 17:02Z'),
(2, 7, 4, e'Yes!\nI bring the smoker, and "the good gloves".', '2026-05-21 17:09Z'),
(3, 4, 7, 'My new number is +44 20 7946 0004. Don''t give it to Bo.', '2026-05-21 17:11Z'),
(4, 7, 4, 'Promised 🐝', '2026-05-21 17:12Z'),
(5, 4, 4, e'Note to self:\n\tpath of the photos is C:\\bees\\2026', '2026-05-24 06:00Z'),
(6, 7, 12, '来週の日曜日はどうですか。', '2026-06-02 10:00Z');

insert into app.comments (
  id, product_id, parent_id, author_type, author_id, guest_email, body, written_at
) values
(1, 1, null, 'User', 4, null, 'Keeps tea warm through a whole night watch.', '2025-12-20 23:40Z'),
(
  2,
  1,
  1,
  'User',
  7,
  null,
  'Mine had a crack. Write to jonas.weber@example.com if yours has one too.',
  '2025-12-21 08:00Z'
),
(3, 1, 2, 'System', null, null, 'We have sent Jonas a new one.', '2025-12-21 10:30Z'),
(4, 1, 2, 'User', 4, null, 'No crack, but the lid rattles.', '2025-12-21 19:15Z'),
(5, 9, null, 'Guest', 4, 'lena.fischer@example.org', 'A present, and a lovely one.', '2026-05-20 14:00Z'),
(6, 9, 5, 'Guest', 7, 'mira.okafor@example.com', 'I am not logged in, but: you are welcome!', '2026-05-20 20:22Z');

insert into app.support_tickets (id, customer_id, subject, body, closed_by, watcher_ids, opened_at) values
(1, 4, 'Invoice with my old address', 'Please print Leuchtturmweg 3 on R-00000002.', 1, '{1,7}', '2026-05-12 09:00Z'),
(2, 7, 'A crack in the teapot', 'It came like that.', 4, '{1}', '2025-12-21 08:05Z'),
(3, 11, 'Which glue for enamel?', 'Mira said she would like to know, too.', null, '{4,11}', '2026-09-01 15:45Z'),
(4, 42, 'I am not Mira from Amrum', 'Please stop sending me her invoices.', 1, '{}', '2026-07-08 08:00Z');


-- What they wrote down; the embeddings follow from the texts ---------------------------------------------------------

insert into app.documents (id, owner_id, team_id, title, created_at) values
(1, 4, null, 'Lighthouse', '2026-01-15 18:00Z'),
(2, 4, 2, 'Mooring at Wittdün', '2026-04-11 10:00Z'),
(3, 7, 1, 'Swarm calendar', '2026-05-25 21:30Z'),
(4, 4, 1, 'Rules of the beekeepers', '2025-11-20 19:30Z'),
(5, 42, null, 'Maps that I lent', '2026-02-02 12:12Z');

insert into app.document_chunks (id, document_id, ordinal, content) values
(1, 1, 1, 'The spare key to the lighthouse hangs behind the third beehive, under the slate with the fish on it.'),
(2, 1, 2, 'My doctor on the island is Dr. Petersen; the penicillin allergy is in her file.'),
(3, 2, 1, 'Berth 14 until the end of September. Pay the harbour master in cash.'),
(4, 3, 1, 'First swarm on 21 May, caught by Mira with a pillowcase.'),
(5, 4, 1, 'Whoever opens a hive closes it. Honey is shared by weight.'),
(6, 5, 1, 'The chart of the Main from 1871 is with my brother.');

insert into public.langchain_pg_embedding (id, collection_id, document, cmetadata)
select
  note.id,
  collection.uuid,
  note.document,
  note.cmetadata::jsonb
from (
  values
  (
    '00000000-0000-4000-8000-000000000001', 'Called about the bill; prefers to be called after six.',
    '{"user_id": 4, "source": "call"}'
  ),
  (
    '00000000-0000-4000-8000-000000000002', 'Asks whether the lantern may be used with whale oil (no).',
    '{"email": "mira.okafor@example.com", "source": "mail"}'
  ),
  (
    '00000000-0000-4000-8000-000000000003', 'Very angry about invoices that are not hers.',
    '{"user_id": 42, "source": "call"}'
  )
) as note (id, document, cmetadata)
inner join public.langchain_pg_collection as collection on collection.name = 'support-notes';


-- What they left behind ---------------------------------------------------------------------------------------------

insert into app.events (id, occurred_at, kind, payload) values
(1, '2025-12-01 20:10Z', 'page.viewed', '{"user_id": 4, "path": "/products/1"}'),
(2, '2026-05-10 07:58Z', 'page.viewed', '{"user_id": "4", "path": "/products/9", "app": "phone"}'),
(3, '2026-05-12 09:01Z', 'settings.changed', '{"actor": {"id": 4, "via": "web"}, "setting": "address"}'),
(4, '2026-10-30 21:40Z', 'page.viewed', '{"user_id": 4, "path": "/products/36"}'),
(5, '2026-10-30 21:41Z', 'page.viewed', '{"user_id": 42, "path": "/products/10"}'),
(6, '2026-05-21 17:12Z', 'page.viewed', '{"user_id": 7, "path": "/products/8"}'),
(7, '2026-10-31 03:00Z', 'job.finished', '{"job": "stock", "changed": 4}');

insert into app.newsletter_subscribers (email, source, subscribed_at) values
('mira.okafor@example.com', 'checkout', '2025-12-01 20:16Z'),
('lena.fischer@example.org', 'front page', '2026-05-19 11:11Z');

insert into app.login_attempts (id, login, ip, succeeded, attempted_at) values
(1, 'mira.okafor@example.com', '192.0.2.4', true, '2026-10-30 21:39Z'),
(2, 'mira.okafor@example.com', '2001:db8::4', false, '2026-10-30 21:38Z'),
(3, 'jonas.weber@example.com', '192.0.2.7', true, '2026-05-21 17:08Z');


-- The next row of each table gets the next number --------------------------------------------------------------------

do $$
declare
  numbered record;
begin
  for numbered in
    select c.oid::regclass::text as relation, a.attname as attribute
    from pg_attribute as a
    inner join pg_class as c on a.attrelid = c.oid
    where c.relnamespace = 'app'::regnamespace
      and pg_get_serial_sequence(c.oid::regclass::text, a.attname) is not null
      and not c.relispartition
      and c.relkind in ('r', 'p')
      and a.attnum > 0
      and not a.attisdropped
  loop
    execute format(
      'select setval(pg_get_serial_sequence(%L, %L), (select max(%I) from %s))',
      numbered.relation, numbered.attribute, numbered.attribute, numbered.relation
    );
  end loop;
end
$$;
