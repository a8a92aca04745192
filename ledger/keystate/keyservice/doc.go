// Package keyservice closes the cells of package keystate at a key service:
// HashiCorp Vault's transit engine, or OpenBao's, and those of AWS, Google
// Cloud and Azure.
//
// [Open] takes a URL:
//
//	hashivault://KEY[?engine=PATH][&token_file=FILE][&destroy=versions]
//	awskms://KEY-ID?region=REGION
//	gcpkms://projects/P/locations/L/keyRings/R/cryptoKeys/K
//	azurekeyvault://VAULT.vault.azure.net/keys/KEY
//
// The last three are opened by gocloud.dev/secrets, which documents them, and
// take their credentials from where each provider's programs do. Vault is
// spoken to by this package: it needs more of it than gocloud does, takes
// nothing on trust that it answers, and keeps to the deadlines of its callers.
// Its address is in VAULT_ADDR, the token in VAULT_TOKEN, or in the file, which
// is read for each request, as Vault's agent keeps it; VAULT_NAMESPACE and
// VAULT_CACERT are as in Vault's own programs.
//
// # What destroying is worth
//
// An old copy of a place of the key state is two files. Without a key service
// whoever has it has the keys that were destroyed since. With one, they are
// still to be had from whoever may decrypt at the service, unless what wrapped
// the cell is destroyed there:
//
//   - Vault, with destroy=versions: each destruction of keys makes a version
//     of the transit key, wraps the cell with it, raises min_decryption_version
//     and min_encryption_version to it, and trims all versions before. That is
//     effective at once in Vault, and in a backup of Vault's storage when that
//     is gone. The key must serve this ledger only, and be neither exportable
//     nor open to plaintext backups.
//   - AWS KMS destroys no single version: rotation keeps all, and a whole key is
//     deleted after 7 to 30 days.
//   - Google Cloud KMS destroys a version after a waiting period, of 30 days
//     unless the key says otherwise; this package does not ask it to.
//   - Azure Key Vault disables single versions and purges whole keys only,
//     after 7 to 90 days.
//
// So with these three a service decides who opens the cell, and keeps a record
// of it; what destroys keys is that the files are erased.
package keyservice
