-- Starts the audit of tables: $1 schemas, $2 names, $3 for each the columns that are not synchronised, as a JSON array.
select audit.enable_relation(
    t.schema_name, t.table_name, array(select jsonb_array_elements_text(t.excluded_columns::jsonb))
)
from unnest($1::text[], $2::text[], $3::text[]) as t (schema_name, table_name, excluded_columns)
