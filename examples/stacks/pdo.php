<?php
$db = new PDO('pgsql:');
$value = $db->query('select value from counter where id = 1')->fetchColumn();
$db->prepare('update counter set value = ? where id = 1')->execute([$value + 1]);
