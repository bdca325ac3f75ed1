// SPDX-License-Identifier: MIT
//
// The line discipline: state, settings, reading and writing. What is typed: input.c.

#include <linux/terminal/terminal.h>

#include <linux/interface/errors.h>
#include <linux/interface/time.h>
#include <linux/terminal/cells.h>
#include <linux/terminal/console.h>
#include <linux/time/clock.h>

#include <string.h>

#define OUTPUT_CHUNK 512
#define READ_CHUNK   256
#define TENTH        (NANOSECONDS_PER_SECOND / 10) // the unit of VTIME

#define CONTROL(letter) ((letter)&037)

static struct terminal console = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.changed = WAIT_QUEUE_INITIAL(console.changed),
	.drained = PTHREAD_COND_INITIALIZER,
	.settings =
		{
			.input = LINUX_ICRNL | LINUX_IXON | LINUX_IUTF8,
			.output = LINUX_OPOST | LINUX_ONLCR,
			.control = LINUX_B38400 | LINUX_CS8 | LINUX_CREAD | LINUX_HUPCL,
			.local = LINUX_ISIG | LINUX_ICANON | LINUX_ECHO | LINUX_ECHOE | LINUX_ECHOK |
				LINUX_ECHOCTL | LINUX_ECHOKE | LINUX_IEXTEN,
			.characters =
				{
					[LINUX_VINTR] = CONTROL('C'),
					[LINUX_VQUIT] = CONTROL('\\'),
					[LINUX_VERASE] = 0177,
					[LINUX_VKILL] = CONTROL('U'),
					[LINUX_VEOF] = CONTROL('D'),
					[LINUX_VMIN] = 1,
					[LINUX_VSTART] = CONTROL('Q'),
					[LINUX_VSTOP] = CONTROL('S'),
					[LINUX_VSUSP] = CONTROL('Z'),
					[LINUX_VREPRINT] = CONTROL('R'),
					[LINUX_VDISCARD] = CONTROL('O'),
					[LINUX_VWERASE] = CONTROL('W'),
					[LINUX_VLNEXT] = CONTROL('V'),
				},
		},
};

struct terminal *terminal_console(void)
{
	return &console;
}

void terminal_own(struct terminal *terminal, int32_t session)
{
	pthread_mutex_lock(&terminal->lock);
	terminal->session = terminal->group = session;
	pthread_mutex_unlock(&terminal->lock);
}

bool cells_put(struct terminal *terminal, uint16_t cell)
{
	if (terminal->ready_length == TERMINAL_READY_MAX)
		return false;
	terminal->ready[(terminal->ready_start + terminal->ready_length++) % TERMINAL_READY_MAX] = cell;
	terminal->ready_lines += (cell & CELL_LINE_END) != 0;
	return true;
}

static uint16_t cells_take(struct terminal *terminal)
{
	uint16_t cell = terminal->ready[terminal->ready_start];

	terminal->ready_start = (terminal->ready_start + 1) % TERMINAL_READY_MAX;
	terminal->ready_length--;
	terminal->ready_lines -= (cell & CELL_LINE_END) != 0;
	return cell;
}

void cells_clear(struct terminal *terminal)
{
	terminal->ready_length = 0;
	terminal->ready_lines = 0;
	terminal->line_length = 0;
}

static bool readable(const struct terminal *terminal)
{
	if (terminal->settings.local & LINUX_ICANON)
		return terminal->ready_lines > 0;
	return terminal->ready_length > 0;
}

bool terminal_readable(struct terminal *terminal)
{
	pthread_mutex_lock(&terminal->lock);
	bool result = readable(terminal);
	pthread_mutex_unlock(&terminal->lock);
	return result;
}

size_t terminal_available(struct terminal *terminal)
{
	pthread_mutex_lock(&terminal->lock);
	size_t result = readable(terminal) ? terminal->ready_length : 0;
	pthread_mutex_unlock(&terminal->lock);
	return result;
}

// Takes up to `size` bytes, of a line at most one. `*ended`: the line's end was among them. The lock is held.
static size_t take_bytes(struct terminal *terminal, char *bytes, size_t size, bool *ended)
{
	bool canonical = terminal->settings.local & LINUX_ICANON;
	size_t length = 0;

	*ended = false;
	while (length < size && terminal->ready_length > 0 && !*ended) {
		uint16_t cell = cells_take(terminal);

		if (!(cell & CELL_NO_BYTE))
			bytes[length++] = (char)cell;
		*ended = canonical && (cell & CELL_LINE_END);
	}
	pthread_cond_signal(&terminal->drained);
	return length;
}

// Moves what can be read now. -LINUX_EAGAIN: nothing; 0: the end of input.
static int64_t take(struct terminal *terminal, struct span to)
{
	char bytes[READ_CHUNK];
	uint64_t done = 0;
	bool ended = false;

	while (done < to.length && !ended) {
		size_t size = to.length - done < READ_CHUNK ? to.length - done : READ_CHUNK;

		pthread_mutex_lock(&terminal->lock);
		if (!readable(terminal)) {
			pthread_mutex_unlock(&terminal->lock);
			return done > 0 ? (int64_t)done : -LINUX_EAGAIN;
		}
		size = take_bytes(terminal, bytes, size, &ended);
		pthread_mutex_unlock(&terminal->lock);
		if (span_write(span_rest(to, done), bytes, size))
			return -LINUX_EFAULT;
		done += size;
	}
	return (int64_t)done;
}

// How long a read that finds nothing waits for the first byte.
static uint64_t first_deadline(struct terminal *terminal)
{
	struct linux_termios settings;

	terminal_get_settings(terminal, &settings);
	if ((settings.local & LINUX_ICANON) || settings.characters[LINUX_VMIN] > 0)
		return DEADLINE_NEVER;
	return clock_deadline(settings.characters[LINUX_VTIME] * TENTH);
}

int64_t terminal_read(struct thread *thread, struct terminal *terminal, struct span to, bool wait)
{
	uint64_t deadline = first_deadline(terminal);
	struct wait_entry entry;
	int64_t result;

	if (to.length == 0)
		return 0;
	wait_join(&entry, thread, &terminal->changed);
	while ((result = take(terminal, to)) == -LINUX_EAGAIN && wait) {
		result = wait_sleep(thread, deadline);
		if (result)
			break;
	}
	wait_leave(&entry);
	return result == -LINUX_ETIMEDOUT ? 0 : result;
}

size_t terminal_cook(const struct linux_termios *settings, const char *bytes, size_t length, char *cooked)
{
	bool carriage_return = (settings->output & LINUX_OPOST) && (settings->output & LINUX_ONLCR);
	size_t size = 0;

	for (size_t index = 0; index < length; index++) {
		if (bytes[index] == '\n' && carriage_return)
			cooked[size++] = '\r';
		cooked[size++] = bytes[index];
	}
	return size;
}

int64_t terminal_write(struct terminal *terminal, struct span from)
{
	char bytes[OUTPUT_CHUNK], cooked[2 * OUTPUT_CHUNK];
	struct linux_termios settings;
	uint64_t done = 0;

	terminal_get_settings(terminal, &settings);
	while (done < from.length) {
		size_t size = from.length - done < OUTPUT_CHUNK ? from.length - done : OUTPUT_CHUNK;
		int64_t result = span_read(span_rest(from, done), bytes, size);

		if (!result) {
			size_t length = terminal_cook(&settings, bytes, size, cooked);

			result = console_write_span(CONSOLE_OUTPUT, span_own(cooked, length));
		}
		if (result < 0)
			return done > 0 ? (int64_t)done : result;
		done += size;
	}
	return (int64_t)done;
}

void terminal_get_settings(struct terminal *terminal, struct linux_termios *settings)
{
	pthread_mutex_lock(&terminal->lock);
	*settings = terminal->settings;
	pthread_mutex_unlock(&terminal->lock);
}

// Out of canonical mode, what was typed of a line can be read as it is.
static void release_line(struct terminal *terminal)
{
	for (size_t index = 0; index < terminal->line_length; index++)
		cells_put(terminal, (uint8_t)terminal->line[index]);
	terminal->line_length = 0;
}

// In canonical mode, what was typed before counts as lines.
static void end_lines(struct terminal *terminal)
{
	for (size_t index = 0; index < terminal->ready_length; index++) {
		uint16_t *cell = &terminal->ready[(terminal->ready_start + index) % TERMINAL_READY_MAX];
		bool last = index + 1 == terminal->ready_length;

		if ((*cell == '\n' || last) && !(*cell & CELL_LINE_END)) {
			*cell |= CELL_LINE_END;
			terminal->ready_lines++;
		}
	}
}

void terminal_set_settings(
	struct terminal *terminal, const struct linux_termios *settings, bool discard_input)
{
	pthread_mutex_lock(&terminal->lock);
	if (discard_input)
		cells_clear(terminal);
	bool was_canonical = terminal->settings.local & LINUX_ICANON;
	terminal->settings = *settings;
	if (!(settings->local & LINUX_ICANON))
		release_line(terminal);
	else if (!was_canonical)
		end_lines(terminal);
	pthread_cond_signal(&terminal->drained);
	pthread_mutex_unlock(&terminal->lock);
	wait_wake(&terminal->changed);
}

void terminal_discard_input(struct terminal *terminal)
{
	pthread_mutex_lock(&terminal->lock);
	cells_clear(terminal);
	pthread_cond_signal(&terminal->drained);
	pthread_mutex_unlock(&terminal->lock);
}
