"""All tables, in the order in which they can be filled."""

from __future__ import annotations

from demo import conversations, notes, people, purchases, traces

TABLES = (
    people.tenants,
    purchases.products,
    people.users,
    people.addresses,
    people.teams,
    people.team_members,
    notes.documents,
    notes.document_chunks,
    notes.collections,
    notes.embeddings,
    purchases.orders,
    purchases.order_items,
    purchases.invoices,
    purchases.wishlist_items,
    purchases.gift_cards,
    conversations.messages,
    conversations.comments,
    conversations.support_tickets,
    traces.events,
    traces.newsletter_subscribers,
    traces.login_attempts,
)
