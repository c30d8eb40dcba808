-- A receipt is logged twice: as the change of a row, like everything, and as what it is, so that
-- whoever holds it can prove that it was logged and needs nothing else of ours. The body of its row
-- is the payload that was signed.
DO $$
DECLARE
    here TEXT := quote_ident(current_schema());
BEGIN
    EXECUTE format($f$
        CREATE FUNCTION %1$s.receipt_log() RETURNS trigger LANGUAGE plpgsql
            SECURITY DEFINER SET search_path = %1$s, pg_temp AS $b$
        BEGIN
            PERFORM audit_note('receipt', NEW.org, NEW.id, 1, NEW.body);
            RETURN NULL;
        END $b$;
    $f$, here);
END $$;

CREATE TRIGGER receipts_public AFTER INSERT ON receipts
    FOR EACH ROW EXECUTE FUNCTION receipt_log();
ALTER TABLE receipts ENABLE ALWAYS TRIGGER receipts_public;
