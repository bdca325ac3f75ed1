// SPDX-License-Identifier: MIT
//
// Control of the whole machine. Spoken by init, under the name "system".

#ifndef PROTOCOL_SYSTEM_H
#define PROTOCOL_SYSTEM_H

enum system_label {
	// Ends the session: pending console output is drained, in framed mode the status is reported, then
	// the machine goes.
	//   in:  word 0: enum system_power_action (tern/info.h)
	//        word 1: exit status to report, 0 to 255
	//   out: nothing; there is an answer only where it failed
	SYSTEM_SHUT_DOWN = 0x500,
};

#endif
