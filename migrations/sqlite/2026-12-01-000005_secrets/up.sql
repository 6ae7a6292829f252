-- What targets replied is not kept any more: deliveries are shown to viewers. Secrets are encrypted when the program starts.
UPDATE signal_deliveries SET error = 'SOAP fault' WHERE error LIKE 'fault: %';
UPDATE signal_deliveries SET error = 'HTTP status ' || status WHERE error LIKE 'HTTP status %:%' AND status IS NOT NULL;
UPDATE run_notices SET error = NULL WHERE error IS NOT NULL;
