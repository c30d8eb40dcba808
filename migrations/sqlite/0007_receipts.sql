-- A receipt is logged twice: as the change of a row, like everything, and as what it is, so that
-- whoever holds it can prove that it was logged and needs nothing else of ours. The body of its row
-- is the payload that was signed.
CREATE TRIGGER receipts_public AFTER INSERT ON receipts BEGIN
    INSERT INTO audit_in (noun, org, id, version, payload, salt)
    VALUES ('receipt', NEW.org, NEW.id, 1, NEW.body, randomblob(16));
END;
