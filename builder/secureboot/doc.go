// Package secureboot keeps the keys of UEFI Secure Boot in a directory: it makes them, and opens them for a build.
//
//	PK.crt   platform key: signs PK and KEK. Needed to replace KEK, so hardly ever: offline
//	KEK.crt  key exchange key: signs db and dbx. Needed to add or forbid a signer: offline
//	db.crt   signs loader, driver and UKIs of every build
//
// Beside each certificate lie NAME.key (PKCS #8, encrypted unless asked for otherwise), NAME.der (for clouds), NAME.esl (the variable's value) and NAME.auth (the same,
// signed for SetVariable); dbx.esl and dbx.auth exist where something is forbidden. ec2.uefi-data has the values of all four. Everything but the .key files is public. A build needs the db key
// and the .auth files, so PK.key and KEK.key leave the directory once it is made.
//
// Same keys, same time, same bytes. Nothing here decides which firmware will be asked, or is told: that is assemble's and the agent's.
package secureboot

// Names of the variables, in the order of trust: each is signed by the one before (PK by itself, dbx as db).
const (
	PK  = "PK"
	KEK = "KEK"
	DB  = "db"
	DBX = "dbx"
)

// Keys are the variables that have a key of their own.
var Keys = []string{PK, KEK, DB}

// purposes is what a key is for, in the words of its certificate's subject and of people.
var purposes = map[string]string{PK: "platform key", KEK: "key exchange key", DB: "signature database key"}

// Suffixes of the files beside a key's name.
const (
	certificateSuffix = ".crt"
	keySuffix         = ".key"
	derSuffix         = ".der"
	listSuffix        = ".esl"
	signedSuffix      = ".auth"
)

// EC2File holds all variables as EC2 takes them when an image is registered.
const EC2File = "ec2.uefi-data"
