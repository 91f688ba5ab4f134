"""unit/ touches no network; integration/ runs on a real Postgres with pgvector, a real Valkey and moto's AWS."""
