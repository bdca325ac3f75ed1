// SPDX-License-Identifier: MIT
//
// What is typed: editing of the line, echo, keys that send signals.

#include <linux/interface/signal.h>
#include <linux/process/process.h>
#include <linux/process/signal.h>
#include <linux/terminal/cells.h>
#include <linux/terminal/console.h>

#include <string.h>

#define ECHO_MAX 6 // bytes to erase what one typed byte is shown as

// What one typed byte leads to once the lock is released.
struct outcome {
	char echo[TERMINAL_LINE_MAX * ECHO_MAX];
	size_t echo_length;
	int32_t signal; // 0: none
	bool readable;
};

static bool local(const struct terminal *terminal, uint32_t flag)
{
	return terminal->settings.local & flag;
}

static bool is_key(const struct terminal *terminal, char byte, enum linux_control_character key)
{
	return byte != 0 && (uint8_t)byte == terminal->settings.characters[key];
}

static void echo_text(struct outcome *outcome, const char *text)
{
	size_t length = strlen(text);

	memcpy(outcome->echo + outcome->echo_length, text, length);
	outcome->echo_length += length;
}

static bool shown_as_control(const struct terminal *terminal, char byte)
{
	return local(terminal, LINUX_ECHOCTL) && ((uint8_t)byte < ' ' || byte == 0177) && byte != '\n' &&
		byte != '\t';
}

static void echo_byte(const struct terminal *terminal, struct outcome *outcome, char byte)
{
	if (!local(terminal, LINUX_ECHO) && !(byte == '\n' && local(terminal, LINUX_ECHONL)))
		return;
	if (shown_as_control(terminal, byte)) {
		echo_text(outcome, (const char[]){'^', byte ^ 0100, 0});
	} else {
		outcome->echo[outcome->echo_length++] = byte;
	}
}

// Takes the last character off the line: with UTF-8 all its bytes.
static void erase_character(struct terminal *terminal, struct outcome *outcome)
{
	char byte;

	if (terminal->line_length == 0)
		return;
	do
		byte = terminal->line[--terminal->line_length];
	while ((terminal->settings.input & LINUX_IUTF8) && (byte & 0xc0) == 0x80 &&
		terminal->line_length > 0);
	if (!local(terminal, LINUX_ECHO))
		return;
	echo_text(outcome, "\b \b");
	if (shown_as_control(terminal, byte))
		echo_text(outcome, "\b \b");
}

static void erase_word(struct terminal *terminal, struct outcome *outcome)
{
	while (terminal->line_length > 0 && terminal->line[terminal->line_length - 1] == ' ')
		erase_character(terminal, outcome);
	while (terminal->line_length > 0 && terminal->line[terminal->line_length - 1] != ' ')
		erase_character(terminal, outcome);
}

// Makes the line readable, with a last cell.
static void end_line(struct terminal *terminal, struct outcome *outcome, uint16_t last)
{
	for (size_t index = 0; index < terminal->line_length; index++)
		cells_put(terminal, (uint8_t)terminal->line[index]);
	cells_put(terminal, last | CELL_LINE_END);
	terminal->line_length = 0;
	outcome->readable = true;
}

static void edit_line(struct terminal *terminal, struct outcome *outcome, char byte)
{
	if (is_key(terminal, byte, LINUX_VERASE) || byte == '\b') {
		erase_character(terminal, outcome);
	} else if (is_key(terminal, byte, LINUX_VKILL)) {
		while (terminal->line_length > 0)
			erase_character(terminal, outcome);
	} else if (is_key(terminal, byte, LINUX_VWERASE) && local(terminal, LINUX_IEXTEN)) {
		erase_word(terminal, outcome);
	} else if (is_key(terminal, byte, LINUX_VEOF)) {
		end_line(terminal, outcome, CELL_NO_BYTE);
	} else if (byte == '\n' || is_key(terminal, byte, LINUX_VEOL) ||
		is_key(terminal, byte, LINUX_VEOL2)) {
		echo_byte(terminal, outcome, byte);
		end_line(terminal, outcome, (uint8_t)byte);
	} else if (terminal->line_length < TERMINAL_LINE_MAX - 1) {
		echo_byte(terminal, outcome, byte);
		terminal->line[terminal->line_length++] = byte;
	}
}

// The signal that a key sends; 0: none.
static int32_t signal_of(const struct terminal *terminal, char byte)
{
	if (!local(terminal, LINUX_ISIG))
		return 0;
	if (is_key(terminal, byte, LINUX_VINTR))
		return LINUX_SIGINT;
	if (is_key(terminal, byte, LINUX_VQUIT))
		return LINUX_SIGQUIT;
	if (is_key(terminal, byte, LINUX_VSUSP))
		return LINUX_SIGTSTP;
	return 0;
}

// False: the byte is dropped.
static bool translate(const struct terminal *terminal, char *byte)
{
	uint32_t input = terminal->settings.input;

	if (input & LINUX_ISTRIP)
		*byte &= 0x7f;
	if (*byte == '\r') {
		if (input & LINUX_IGNCR)
			return false;
		if (input & LINUX_ICRNL)
			*byte = '\n';
	} else if (*byte == '\n' && (input & LINUX_INLCR)) {
		*byte = '\r';
	}
	return true;
}

static void take_byte(struct terminal *terminal, struct outcome *outcome, char byte)
{
	if (!translate(terminal, &byte))
		return;
	outcome->signal = signal_of(terminal, byte);
	if (outcome->signal != 0) {
		if (!local(terminal, LINUX_NOFLSH))
			cells_clear(terminal);
		echo_byte(terminal, outcome, byte);
	} else if (local(terminal, LINUX_ICANON)) {
		edit_line(terminal, outcome, byte);
	} else {
		echo_byte(terminal, outcome, byte);
		cells_put(terminal, (uint8_t)byte);
		outcome->readable = true;
	}
}

static void send_signal(struct terminal *terminal, int32_t signal)
{
	static const struct signal_cause cause = {.code = LINUX_SI_KERNEL};

	pthread_mutex_lock(&process_lock);
	pthread_mutex_lock(&terminal->lock);
	int32_t group = terminal->group;
	pthread_mutex_unlock(&terminal->lock);
	if (group != 0)
		signal_send_group(group, signal, &cause);
	pthread_mutex_unlock(&process_lock);
}

static void write_echo(struct terminal *terminal, const struct outcome *outcome)
{
	static char cooked[2 * sizeof(outcome->echo)]; // there is one thread that has input
	struct linux_termios settings;

	terminal_get_settings(terminal, &settings);
	size_t length = terminal_cook(&settings, outcome->echo, outcome->echo_length, cooked);
	console_write_span(CONSOLE_OUTPUT, span_own(cooked, length));
}

// Waits until a whole line would have room.
static void wait_for_room(struct terminal *terminal)
{
	while (TERMINAL_READY_MAX - terminal->ready_length < TERMINAL_LINE_MAX)
		pthread_cond_wait(&terminal->drained, &terminal->lock);
}

void terminal_input(struct terminal *terminal, const char *bytes, size_t length)
{
	static struct outcome outcome;

	for (size_t index = 0; index < length; index++) {
		outcome.echo_length = 0;
		outcome.signal = 0;
		outcome.readable = false;
		pthread_mutex_lock(&terminal->lock);
		wait_for_room(terminal);
		take_byte(terminal, &outcome, bytes[index]);
		pthread_mutex_unlock(&terminal->lock);
		if (outcome.echo_length > 0)
			write_echo(terminal, &outcome);
		if (outcome.readable)
			wait_wake(&terminal->changed);
		if (outcome.signal != 0)
			send_signal(terminal, outcome.signal);
	}
}
