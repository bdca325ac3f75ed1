// SPDX-License-Identifier: MIT
//
// Control of the servers. Spoken by init, under the name "supervisor".

#ifndef PROTOCOL_SUPERVISOR_H
#define PROTOCOL_SUPERVISOR_H

enum supervisor_label {
	// Ends a server of the manifest, which starts it again if it says so.
	//   in:  words 0-3: its name, NUL-padded
	// Errors: NOT_FOUND (no such server, or it does not run).
	SUPERVISOR_END_SERVER = 0x700,
};

#endif
