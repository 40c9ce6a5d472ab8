// Package authenticode signs PE images for UEFI Secure Boot and reads such signatures (Windows Authenticode Portable Executable Signature
// Format, 2008; UEFI 2.10 §32.5.2.3; Microsoft PE Format, "Attribute Certificate Table").
//
// The digest covers the whole file but three things: the checksum, the directory entry that says where the signatures lie, and the signatures. Tools
// disagree about images whose sections leave gaps or overlap, so such an image is refused here, both ways. SHA-256 only.
//
// Same image, key and certificate give the same bytes (TestSameInputsSameBytes). sbverify and osslsigncode are the oracles of the tests.
package authenticode
