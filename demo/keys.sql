-- Keys and indexes, table by table, in the order in which the tables are filled: `-- table: why`, then statements.

-- app.tenants: keys
alter table app.tenants add primary key (id);

-- app.products: keys
alter table app.products add primary key (id);

-- app.users: an e-mail address is unique within a tenant only; the second key is what composite links point to
alter table app.users
add primary key (id),
add constraint users_tenant_id_id_key unique (tenant_id, id),
add constraint users_tenant_id_email_key unique (tenant_id, email),
add foreign key (tenant_id) references app.tenants (id);
create index users_default_address_id_idx on app.users (default_address_id);

-- app.addresses: here the cycle closes, users and addresses point at each other
alter table app.addresses
add primary key (id),
add foreign key (user_id) references app.users (id) on delete cascade;
create index addresses_user_id_idx on app.addresses (user_id);
alter table app.users add foreign key (default_address_id) references app.addresses (id);

-- app.orders: packed_by has no index on purpose, as so often; an erasure of its person would read the whole table
alter table app.orders
add primary key (id),
add foreign key (user_id) references app.users (id),
add foreign key (packed_by) references app.users (id) on delete set null;
create index orders_user_id_idx on app.orders (user_id);

-- app.order_items: nothing here names a person, only the order above does
alter table app.order_items
add primary key (order_id, line),
add foreign key (order_id) references app.orders (id) on delete cascade,
add foreign key (product_id) references app.products (id);
create index order_items_product_id_idx on app.order_items (product_id);

-- app.invoices: no ON DELETE for the person, since an invoice has to stay
alter table app.invoices
add primary key (id),
add constraint invoices_number_key unique (number),
add foreign key (user_id) references app.users (id),
add foreign key (order_id) references app.orders (id) on delete set null;
create index invoices_user_id_idx on app.invoices (user_id);
create index invoices_order_id_idx on app.invoices (order_id);

-- app.messages: two people in one row
alter table app.messages
add primary key (id),
add foreign key (sender_id) references app.users (id),
add foreign key (recipient_id) references app.users (id);
create index messages_sender_id_idx on app.messages (sender_id);
create index messages_recipient_id_idx on app.messages (recipient_id);

-- app.comments: a tree, and an author that no foreign key can check
alter table app.comments
add primary key (id),
add foreign key (product_id) references app.products (id),
add foreign key (parent_id) references app.comments (id);
create index comments_product_id_idx on app.comments (product_id);
create index comments_parent_id_idx on app.comments (parent_id);
create index comments_author_idx on app.comments (author_type, author_id);
create index comments_guest_email_idx on app.comments (guest_email);

-- app.events: the person stands in one of two places
alter table app.events add primary key (id, occurred_at);
create index events_user_id_idx on app.events ((payload ->> 'user_id'));
create index events_actor_id_idx on app.events ((payload #>> '{actor,id}'));

-- app.teams: a place where people meet
alter table app.teams
add primary key (id),
add foreign key (owner_id) references app.users (id);
create index teams_owner_id_idx on app.teams (owner_id);

-- app.team_members: nothing but links
alter table app.team_members
add primary key (team_id, user_id),
add foreign key (team_id) references app.teams (id) on delete cascade,
add foreign key (user_id) references app.users (id) on delete cascade;
create index team_members_user_id_idx on app.team_members (user_id);

-- app.documents: mine, and maybe in a place of others
alter table app.documents
add primary key (id),
add foreign key (owner_id) references app.users (id),
add foreign key (team_id) references app.teams (id) on delete set null;
create index documents_owner_id_idx on app.documents (owner_id);
create index documents_team_id_idx on app.documents (team_id);

-- app.document_chunks: the index for the search by meaning
alter table app.document_chunks
add primary key (id),
add constraint document_chunks_document_id_ordinal_key unique (document_id, ordinal),
add foreign key (document_id) references app.documents (id) on delete cascade;
create index document_chunks_embedding_idx on app.document_chunks
using hnsw (embedding public.vector_cosine_ops);

-- public.langchain_pg_collection: as LangChain makes them
alter table public.langchain_pg_collection
add primary key (uuid),
add constraint langchain_pg_collection_name_key unique (name);

-- public.langchain_pg_embedding: the first three as LangChain makes them, the others are ours
alter table public.langchain_pg_embedding
add primary key (id),
add foreign key (collection_id) references public.langchain_pg_collection (uuid) on delete cascade;
create unique index ix_langchain_pg_embedding_id on public.langchain_pg_embedding (id);
create index ix_cmetadata_gin on public.langchain_pg_embedding using gin (cmetadata jsonb_path_ops);
create index langchain_pg_embedding_collection_id_idx on public.langchain_pg_embedding (collection_id);
create index langchain_pg_embedding_user_id_idx on public.langchain_pg_embedding ((cmetadata ->> 'user_id'));
create index langchain_pg_embedding_email_idx on public.langchain_pg_embedding ((cmetadata ->> 'email'));

-- app.wishlist_items: the person is two of three columns
alter table app.wishlist_items
add primary key (tenant_id, user_id, product_id),
add foreign key (tenant_id, user_id) references app.users (tenant_id, id) on delete cascade,
add foreign key (product_id) references app.products (id);
create index wishlist_items_product_id_idx on app.wishlist_items (product_id);

-- app.support_tickets: people in an array
alter table app.support_tickets
add primary key (id),
add foreign key (customer_id) references app.users (id),
add foreign key (closed_by) references app.users (id) on delete set null;
create index support_tickets_customer_id_idx on app.support_tickets (customer_id);
create index support_tickets_closed_by_idx on app.support_tickets (closed_by);
create index support_tickets_watcher_ids_idx on app.support_tickets using gin (watcher_ids);

-- app."GiftCards": names that have to be quoted
alter table app."GiftCards"
add primary key ("Id"),
add foreign key ("purchaserId") references app.users (id);
create index "GiftCards_purchaserId_idx" on app."GiftCards" ("purchaserId");
create index "GiftCards_recipientEmail_idx" on app."GiftCards" ("recipientEmail");

-- app.newsletter_subscribers: the e-mail address is all there is
alter table app.newsletter_subscribers add primary key (email);

-- app.login_attempts: the e-mail address again, as it was typed
alter table app.login_attempts add primary key (id);
create index login_attempts_login_idx on app.login_attempts (login);
