-- Where one person is in the shop, written by hand: `-- table: how it is found`, then a statement that counts the rows.
-- A star says that no foreign key leads there. The suite is not asked; what it finds can be held against this.

-- app.users: the key
select count(*)
from app.users as u
inner join pg_temp.person on u.id = person.id;

-- app.addresses: foreign key user_id
select count(*)
from app.addresses as a
inner join pg_temp.person on a.user_id = person.id;

-- app.teams: foreign key owner_id
select count(*)
from app.teams as t
inner join pg_temp.person on t.owner_id = person.id;

-- app.team_members: foreign key user_id
select count(*)
from app.team_members as m
inner join pg_temp.person on m.user_id = person.id;

-- app.documents: foreign key owner_id
select count(*)
from app.documents as d
inner join pg_temp.person on d.owner_id = person.id;

-- app.document_chunks: through the document
select count(*)
from app.document_chunks as c
inner join app.documents as d on c.document_id = d.id
inner join pg_temp.person on d.owner_id = person.id;

-- public.langchain_pg_embedding: * cmetadata.user_id
select count(*)
from public.langchain_pg_embedding as e
inner join pg_temp.person on e.cmetadata ->> 'user_id' = person.id::text;

-- public.langchain_pg_embedding: * cmetadata.email
select count(*)
from public.langchain_pg_embedding as e
inner join pg_temp.person on e.cmetadata ->> 'email' = person.email;

-- app.orders: foreign key user_id
select count(*)
from app.orders as o
inner join pg_temp.person on o.user_id = person.id;

-- app.orders: foreign key packed_by (acted)
select count(*)
from app.orders as o
inner join pg_temp.person on o.packed_by = person.id;

-- app.order_items: through the order
select count(*)
from app.order_items as i
inner join app.orders as o on i.order_id = o.id
inner join pg_temp.person on o.user_id = person.id;

-- app.invoices: foreign key user_id
select count(*)
from app.invoices as i
inner join pg_temp.person on i.user_id = person.id;

-- app.wishlist_items: foreign key of two columns
select count(*)
from app.wishlist_items as w
inner join pg_temp.person on (w.tenant_id, w.user_id) = (person.tenant_id, person.id);

-- app."GiftCards": foreign key purchaserId
select count(*)
from app."GiftCards" as g
inner join pg_temp.person on g."purchaserId" = person.id;

-- app."GiftCards": * recipientEmail
select count(*)
from app."GiftCards" as g
inner join pg_temp.person on g."recipientEmail" = person.email;

-- app.messages: foreign keys, as one of two
select count(*)
from app.messages as m
inner join pg_temp.person on person.id in (m.sender_id, m.recipient_id);

-- app.comments: * author_id of a User
select count(*)
from app.comments as c
inner join pg_temp.person on c.author_type = 'User' and c.author_id = person.id;

-- app.comments: * guest_email
select count(*)
from app.comments as c
inner join pg_temp.person on c.guest_email = person.email;

-- app.support_tickets: foreign key customer_id
select count(*)
from app.support_tickets as t
inner join pg_temp.person on t.customer_id = person.id;

-- app.support_tickets: foreign key closed_by (acted)
select count(*)
from app.support_tickets as t
inner join pg_temp.person on t.closed_by = person.id;

-- app.support_tickets: * array watcher_ids
select count(*)
from app.support_tickets as t
inner join pg_temp.person on t.watcher_ids @> array[person.id];

-- app.events: * payload.user_id
select count(*)
from app.events as e
inner join pg_temp.person on e.payload ->> 'user_id' = person.id::text;

-- app.events: * payload.actor.id
select count(*)
from app.events as e
inner join pg_temp.person on e.payload #>> '{actor,id}' = person.id::text;

-- app.newsletter_subscribers: * email
select count(*)
from app.newsletter_subscribers as n
inner join pg_temp.person on n.email = person.email;

-- app.login_attempts: * login
select count(*)
from app.login_attempts as a
inner join pg_temp.person on a.login = person.email;
