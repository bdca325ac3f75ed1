// SPDX-License-Identifier: MIT
//
// The name service: names to capabilities. Spoken by init on the endpoint of the start handle "names",
// whose badge tells init the client; a client reaches only the names that the manifest allows it.
//
// A name has 1 to 31 bytes and travels NUL-padded in the four register words.

#ifndef PROTOCOL_NAME_H
#define PROTOCOL_NAME_H

#define NAME_WORDS 4

enum name_label {
	// Looks a name up.
	//   in:  words 0-3: the name
	//   out: capability 0: what is registered under it, with the rights that the manifest allows
	// Errors: NOT_FOUND (no such name), NO_RIGHTS (not for this client). A name of the manifest whose
	// server is not running (yet, or again) is found all the same: its endpoint outlives the server,
	// and calls wait for it.
	NAME_LOOKUP = 0x100,

	// Puts a capability under a name that the manifest lets the caller provide, in place of what was
	// there.
	//   in:  words 0-3: the name; capability 0
	// Errors: NO_RIGHTS (the name is not the caller's to provide), INVALID_ARGUMENT (no capability).
	NAME_REGISTER,
};

#endif
